"""What more than one Greenroom service needs; knows no service."""
