"""What a machine is made of: frozen, checked, hashable, and each ``repr`` evaluates back."""
