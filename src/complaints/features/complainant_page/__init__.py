"""The complainant's page: state, next steps and result of one complaint, and a form to add a contact."""
