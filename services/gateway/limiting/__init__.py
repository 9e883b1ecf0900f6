"""How often one may call, counted together with all other gateways."""
