"""Moral reasoning: MoReBench, CLASH, DailyDilemmas and MoralChoice as tasks, with their rubrics and figures."""
