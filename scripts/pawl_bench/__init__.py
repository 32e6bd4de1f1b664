"""The comparison that `./dev bench` prints: what is measured, in which rounds, and what is made of the figures."""
