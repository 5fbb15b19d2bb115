"""The library of solutions: articles, their versions, suggestions, automatic replies, and whether they helped."""
