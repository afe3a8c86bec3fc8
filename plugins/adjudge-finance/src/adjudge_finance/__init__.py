"""Finance rubrics, tasks and judges for adjudge: sentiment of company news, central-bank stance, advice, writing."""
