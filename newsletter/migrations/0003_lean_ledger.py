import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0002_delivery_details'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='delivery',
            name='one_delivery_per_subscriber',
        ),
        migrations.RemoveConstraint(
            model_name='delivery',
            name='one_delivery_per_address',
        ),
        migrations.RemoveIndex(
            model_name='lane',
            name='lane_expiry',
        ),
        migrations.AlterField(
            model_name='delivery',
            name='mailing',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='newsletter.mailing'),
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
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='newsletter.variant'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='message_id',
            field=models.CharField(max_length=200),
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
    ]
