"""Looking for known vulnerabilities in what is shipped."""
