"""The daily report: what a reconciliation found, as a page, a text, a workbook and a mail.

Nothing is computed about money here; every figure comes from `tieout.reconcile`.
"""
