"""Routes of work and people: queues, taking complaints, loads, duty rotas, and the rehearsal of an absence."""
