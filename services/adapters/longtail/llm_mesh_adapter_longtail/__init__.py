"""What adapters over somebody's library share: the library runs in a process of its own, with bounds, and answers in OpenAI's form."""
