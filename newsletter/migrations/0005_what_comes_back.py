import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0004_desk_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='bounce',
            name='notice',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='bounces', to='newsletter.notice'),
        ),
        migrations.AlterField(
            model_name='bounce',
            name='at',
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name='when'),
        ),
    ]
