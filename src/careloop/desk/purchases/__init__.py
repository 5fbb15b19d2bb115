"""What customers bought: handed over by shops' own programs or brought in from files, never entered twice."""
