"""x"""
OPTIONS = {}
TESTS = {}
