"""What a study's figures are worth: findings with codes, grades, and their section."""
