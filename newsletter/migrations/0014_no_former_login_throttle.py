from django.db import migrations

# What django-axes kept of failed logins, with names and addresses: the limits of this site do not read it.
TABLES = ("axes_accessattemptexpiration", "axes_accessattempt", "axes_accessfailurelog", "axes_accesslog")


def drop(apps, schema_editor):
    there = schema_editor.connection.introspection.table_names()
    for table in TABLES:
        if table in there:
            schema_editor.execute(f"DROP TABLE {schema_editor.quote_name(table)}")


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0013_account_mails_and_attempts'),
    ]

    operations = [
        migrations.RunPython(drop, migrations.RunPython.noop),
    ]
