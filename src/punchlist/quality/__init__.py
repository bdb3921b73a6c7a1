"""What "accepted" means, as pure functions: proof on the base, findings, verdict, review, rework."""
