"""Who is it: compare, enroll, identify, group, measure, train."""
