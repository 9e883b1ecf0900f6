"""Benchmarks: Greenroom beside bare programs doing the same, in the same run on the same machine."""
