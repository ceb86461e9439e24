"""The command line: ``rainier-fast``, which ``python -m rainier_fast`` is too.

`program.py` turns words into an exit code, `app.py` knows the commands by name; each family of
commands has a file, `options.py` and `machines.py` what they share, `show.py` how answers are
written. click and rich are loaded here alone, and rich only where a terminal looks.
"""
