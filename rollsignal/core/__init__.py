"""This package decides signals exactly; it reads no file, clock, log or config.

A ledger decides batch after batch in one process. Where bars are decided in pieces, anywhere and in
any order, a `piece` listens to a ledger of its own and hands back `edges`, which `joining` puts
together; see docs/decisions/0021-pieces-and-edges.md.
"""
