"""Labels that people give in a page on their own machine, and their review of verdicts, in files that only grow.

`chain` seals lines, `log` adds them to a file, `acts` are what lines say, `standing` what they add up to, `plan` what
is labelled in which order, `session` one rater at work, `page` and `server` the page, `export` the way out.
"""
