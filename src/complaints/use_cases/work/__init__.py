"""The work of users: queues, taking, loads, duty rotas, rehearsals, drafts, saved views and preferences."""
