"""This module judges an evaluation in words: can it be trusted, and is the signal any good?"""

from rollsignal.analysis.evaluation import Evaluation, Judgement, Verdicts
from rollsignal.messages import plural
from rollsignal.outputs.record.document import Record


def verdicts(evaluation: Evaluation, record: Record | None) -> Verdicts:
    """Judge an evaluation. record: that of its run, which has what the checks found."""
    return Verdicts(_trust(evaluation, record), _good(evaluation))


def _trust(evaluation: Evaluation, record: Record | None) -> Judgement:
    """Find what speaks against trusting the figures; what is not known is said, and no reason."""
    reasons, unknown = [], []
    checks = record.checks if record else {}
    reasons += [
        f"the check {name} found {plural(check.found, 'bar')}"
        for name, check in checks.items()
        if check.found
    ]
    if record is None:
        unknown.append("what the checks found is not known without the record")
    coverage, rate = evaluation.coverage, evaluation.rate
    if coverage.late:
        verb = "ends" if coverage.late == 1 else "end"
        reasons.append(f"{plural(coverage.late, 'symbol')} {verb} before {coverage.last}")
    elif coverage.late is None:
        unknown.append("there are no times, so nothing shows whether bars are late")
    if rate.range is not None and rate.last is not None:
        low, high = rate.range
        if not low <= rate.last <= high:
            what = f"the last rate, {rate.last:.4f}, is outside of all before"
            reasons.append(f"{what}, {low:.4f} to {high:.4f}")
    else:
        unknown.append("there are too few periods to judge the last rate by")
    return Judgement("look" if reasons else "ok", reasons + unknown)


def _good(evaluation: Evaluation) -> Judgement:
    gross, net = evaluation.excess.gross_interval, evaluation.excess.net_interval
    if gross is None or net is None:
        return Judgement(None, ["too few signals, or no times, to tell an edge from luck"])
    if gross[0] > 0:
        if net[0] > 0:
            return Judgement("ok", ["it pays after costs"])
        return Judgement("look", ["costs eat it"])
    if gross[1] < 0:
        return Judgement("bad", ["it points the wrong way"])
    return Judgement("none", ["no edge found"])
