"""The lesson: header reading for someone who never saw a header. Notebook 02 is the way through it.

mf.lesson.exercise(1)          a question about a header that never changes
mf.lesson.check(1, 3)          what is right, what is missing, and where to look
mf.lesson.dialogue()           a mail sent between small servers on this machine, every word of it
mf.lesson.solutions()          the teacher's page
"""

from __future__ import annotations

from mailforensics.lesson.dialogue import Dialogue, dialogue
from mailforensics.lesson.exercises import Exercise, Verdict, check, exercise, exercises, solutions

__all__ = ["Dialogue", "Exercise", "Verdict", "check", "dialogue", "exercise", "exercises", "solutions"]
