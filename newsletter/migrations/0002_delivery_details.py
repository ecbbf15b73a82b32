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
        migrations.RemoveIndex(
            model_name='delivery',
            name='delivery_counts',
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
            model_name='notice',
            name='provider_id',
            field=models.CharField(blank=True, help_text='What an ESP calls it; blank over SMTP.', max_length=200),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('current', True)), fields=['mailing', 'state'], name='delivery_counts'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('provider_id', ''), _negated=True), fields=['provider_id'], name='delivery_provider'),
        ),
    ]
