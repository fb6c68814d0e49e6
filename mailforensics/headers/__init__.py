"""Raw messages as header fields, hops, authentication results and verdicts of filters; DNS only when asked.

``message`` puts the tables together from ``fields``, ``received`` (and ``stamps``, the same for whole columns), ``dates``,
``path`` (trust, delays, roles), ``authentication`` and ``spam``. ``resolver``, ``spf`` and ``verify`` check again what
headers claim; ``dialogue`` reads SMTP transcripts, ``parts`` lists what is attached.
"""
