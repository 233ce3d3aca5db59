"""How likely a score is when nothing is there: numbers in, natural logarithms of p-values out.

Which null a column has follows from the kinds of both sides, in rank space:

=============  ============  ====================================================