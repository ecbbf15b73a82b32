import newsletter.models.mailings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0005_what_comes_back'),
    ]

    operations = [
        migrations.AddField(
            model_name='mailing',
            name='restored_at',
            field=models.DateTimeField(help_text='When it was found in a restored database: what has no record may have gone out.', null=True),
        ),
        migrations.CreateModel(
            name='LedgerMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identity', models.CharField(default=newsletter.models.mailings.new_identity, max_length=32)),
                ('mark', models.BigIntegerField(default=0)),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_ledger_mark')],
            },
        ),
    ]
