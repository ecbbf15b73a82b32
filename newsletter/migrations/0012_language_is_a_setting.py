"""A subscriber may have any language: which of them the site speaks is the setting LANGUAGES."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0011_mailed_links_and_test_copies'),
    ]

    operations = [
        migrations.AlterField(
            model_name='subscriber',
            name='language',
            field=models.CharField(default='en', max_length=10, verbose_name='language'),
        ),
    ]
