"""DailyDilemmas (Chiu et al. 2024, arXiv:2410.02683): which values binary choices favour, and what steers them."""
