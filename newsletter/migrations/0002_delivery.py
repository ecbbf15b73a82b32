import django.db.models.deletion
import django.utils.timezone
import newsletter.models.mailings
from django.db import migrations, models


def fill_in_domains(apps, schema_editor):
    Delivery = apps.get_model('newsletter', 'Delivery')
    changed = []
    for delivery in Delivery.objects.only('address_key').iterator(chunk_size=5000):
        delivery.domain = delivery.address_key.rpartition('@')[2]
        changed.append(delivery)
        if len(changed) == 5000:
            Delivery.objects.bulk_update(changed, ['domain'])
            changed.clear()
    Delivery.objects.bulk_update(changed, ['domain'])


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identity', models.CharField(default=newsletter.models.mailings.new_identity, max_length=32)),
                ('mark', models.BigIntegerField(default=0)),
                ('seen_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Throttle',
            fields=[
                ('key', models.CharField(max_length=320, primary_key=True, serialize=False)),
                ('tokens', models.FloatField(help_text='How many could go when it was last counted; null: never counted.', null=True)),
                ('counted_at', models.DateTimeField(null=True)),
                ('spent', models.PositiveIntegerField(default=0, help_text='How many went out, on a day of the warm-up.')),
                ('rate', models.FloatField(help_text='Messages a minute, as learned at the last sign; null: not slowed.', null=True)),
                ('usual', models.FloatField(help_text='Messages a minute before the first sign.', null=True)),
                ('slowed_at', models.DateTimeField(null=True)),
                ('signs', models.PositiveSmallIntegerField(default=0, help_text='How often it was slowed down without a recovery.')),
                ('rest_until', models.DateTimeField(null=True)),
                ('why', models.CharField(blank=True, help_text='What the server said, without addresses.', max_length=500)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='delivery',
            name='one_delivery_per_subscriber',
        ),
        migrations.RemoveConstraint(
            model_name='delivery',
            name='one_delivery_per_address',
        ),
        migrations.RemoveIndex(
            model_name='delivery',
            name='delivery_counts',
        ),
        migrations.RemoveIndex(
            model_name='lane',
            name='lane_expiry',
        ),
        migrations.AddField(
            model_name='bounce',
            name='notice',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='bounces', to='newsletter.notice'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='current',
            field=models.BooleanField(default=True, help_text="Off once a person's resend took its place: it counts once."),
        ),
        migrations.AddField(
            model_name='delivery',
            name='domain',
            field=models.CharField(default='', help_text='Of the address, for limits and routes per domain.', max_length=255),
            preserve_default=False,
        ),
        migrations.RunPython(fill_in_domains, migrations.RunPython.noop),
        migrations.AddField(
            model_name='delivery',
            name='provider_id',
            field=models.CharField(blank=True, help_text='What an ESP calls it; blank over SMTP.', max_length=200),
        ),
        migrations.AddField(
            model_name='lane',
            name='way',
            field=models.CharField(blank=True, help_text='The relay it leads to, as host and port.', max_length=320),
        ),
        migrations.AddField(
            model_name='mailing',
            name='restored_at',
            field=models.DateTimeField(help_text='When it was found in a restored database: what has no record may have gone out.', null=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='provider_id',
            field=models.CharField(blank=True, help_text='What an ESP calls it; blank over SMTP.', max_length=200),
        ),
        migrations.AlterField(
            model_name='bounce',
            name='at',
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name='when'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='mailing',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='newsletter.mailing'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='message_id',
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='subscriber',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deliveries', to='newsletter.subscriber'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='variant',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='newsletter.variant'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='message_id',
            field=models.CharField(max_length=200),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('current', True)), fields=['mailing', 'state'], name='delivery_counts'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('current', True), models.Q(('reason', ''), _negated=True)), fields=['mailing', 'state', 'reason', 'due_at'], name='delivery_trouble'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('sent_at__isnull', False)), fields=['mailing', 'sent_at'], name='delivery_pace'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('provider_id', ''), _negated=True), fields=['provider_id'], name='delivery_provider'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['created_at'], name='notice_failed'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('subscriber', 'mailing', 'generation'), name='one_delivery_per_subscriber'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('address_key', 'mailing', 'generation'), name='one_delivery_per_address'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('message_id',), name='notice_message_id'),
        ),
        migrations.AddConstraint(
            model_name='ledgermark',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_ledger_mark'),
        ),
    ]
