"""The bank of wrong answers: plausible mistakes, each with the misconception that the check must name.

One module for each lesson, with three names:

- SETUP: code that runs before each answer (the names that the notebook has by then);
- WRONG: a list of (exercise, misconception, source), where source defines the name of the exercise;
- RIGHT: a list of (exercise, source): right ways that are not the worked answer's, at least one for each exercise in code.

A mistake that passes, or that is told another's misconception, is a bug of the check; a right way that is refused is
a worse one.
"""
