"""Teaching a class: the release that is handed out, and the grading of what comes back.

An answer runs in a process of its own (`answer_process`), and the check in another one that never
runs a learner's code (`checker`): only values pass between them (`values`).
"""
