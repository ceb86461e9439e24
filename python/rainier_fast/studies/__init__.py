"""Questions over many collectives: comparing, mapping, failing, sharing."""
