"""One module a scenario: `README`, `run(lab)`, and if it needs them `OPTIONS` and `prepare(lab)`."""
