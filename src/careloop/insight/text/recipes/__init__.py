"""How the shipped models were made: `python -m careloop.insight.text.recipes --data FOLDER` makes them again, `… measure` tries them.

Only rows whose licence allows a model to be shipped are learnt from; `sources.py` lists them, `measure.py` uses the others to measure.
"""
