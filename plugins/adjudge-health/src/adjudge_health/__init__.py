"""Health rubrics and tasks for adjudge: HealthBench conversations, and medical safety by ethical principle."""
