"""The verbs that all faces share, one module a noun: each returns the JSON of its answer, or raises PunchlistError."""
