"""Training methods for the networks that hwgen builds; `hwgen.train.fit` is the loop."""
