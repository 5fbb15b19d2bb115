"""The desk: the Django project in which people, cases, channels, screens and the API live."""
