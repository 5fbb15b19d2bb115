"""What a survey asks, who is asked and when, what makes an answer acceptable: plain Python."""
