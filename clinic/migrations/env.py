"""Alembic's way in: it runs on the connection that `clinic.migrations` hands over."""

from alembic import context

from clinic.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    compare_type=True,
    # SQLite takes DDL back as well: nobody must see the tables between two revisions
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
