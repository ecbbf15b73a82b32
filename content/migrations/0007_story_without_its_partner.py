"""A story whose partner is deleted stands without one; the guard keeps live stories from that."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('content', '0006_entries_without_aliases'),
    ]

    operations = [
        migrations.AlterField(
            model_name='storypage',
            name='partner',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='stories', to='content.partner', verbose_name='partner'),
        ),
    ]
