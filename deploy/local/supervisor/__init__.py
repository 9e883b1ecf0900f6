"""What `greenroom up` does: starts, provisions, supervises and stops the components."""
