"""Side-by-side measurements; ratios within one run, never absolute times.

`harness` compares, one module a subject says what is compared (`subject.pairs()`), `__main__` runs and prints.
"""
