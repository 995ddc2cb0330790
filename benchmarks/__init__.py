"""Side-by-side measurements; ratios within one run, never absolute times.

`harness` compares; one module a subject says what is compared, by yielding pairs (`subject.pairs()`); `__main__` lists
the subjects, runs and prints. What a pair needs while it is measured may stand in a `with` around its `yield`.
"""
