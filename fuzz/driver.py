"""`python -m fuzz.driver TARGET` hands a target to atheris, with the arguments of libFuzzer."""

import sys
from pathlib import Path

import atheris

CORPUS = Path(__file__).parent.parent / "tests/fuzz/corpus"


def main() -> None:
    """Fuzz the target that is named first."""
    program, name, *arguments = sys.argv
    # Many modules are loaded where they are first used, so the corpus is tried while atheris looks.
    with atheris.instrument_imports(include=["rollsignal"]):
        from fuzz.targets import TARGETS

        for path in sorted((CORPUS / name).iterdir()):
            TARGETS[name](path.read_bytes())
    atheris.Setup([program, *arguments], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
