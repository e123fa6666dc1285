"""Identity: domains, projects, principals and their keys, and who a credential is."""
