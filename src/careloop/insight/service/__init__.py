"""Service in figures: efficiency, satisfaction, how long things take, what slows them, what helped."""
