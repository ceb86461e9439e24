"""Files of definitions: TOML, YAML and JSON to plain rows, rows to objects; and back."""
