"""Identity: domains, projects, principals and keys, and who a credential is."""
