"""The screens: thin views over actions and queries."""
