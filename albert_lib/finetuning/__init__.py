"""Fine-tuning on the card's five tasks (notebook 07)."""
