"""Decision → its trail: statements and positions, rule and policy versions, people, voids, superseded decisions."""
