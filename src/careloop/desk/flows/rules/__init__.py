"""What a flow is, whether it makes sense, and which steps a case may take: plain Python."""
